// The words that the user reads: the product's, once the BFF has told them.

/**
 * By key; behind a language tag those that some element asks for by its own locale. `lang` and `dir` are the words'
 * language and direction. English stands in only where the widget must speak without the BFF.
 */
export const words: Record<string, string | undefined> = {
  lang: "",
  dir: "",
  button: "Connect",
  popup_blocked: "Pop-up blocked",
  not_signed_in: "You are signed out",
  network: "No connection",
};
