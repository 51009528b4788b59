// The words that the user reads: the product's, once the BFF has told them.

/** By key. English stands in only where the widget must speak without the BFF. */
export const words: Record<string, string | undefined> = {
  error_popup_blocked_title: "Your browser blocked the sign-in window.",
  error_popup_blocked_next_step: "Allow pop-ups for this site.",
  error_not_signed_in_title: "You are signed out",
  error_network_title: "No connection",
};
