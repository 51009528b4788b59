// The words that the user reads: the product's, once the BFF has told them.

/** By key. English stands in only where the widget must speak without the BFF. */
export const words: Record<string, string | undefined> = {
  popup_blocked: "Pop-up blocked",
  not_signed_in: "You are signed out",
  network: "No connection",
};
