// The words that the user reads: the product's, once the BFF has told them.

/**
 * By key; behind a language tag those that some element asks for by its own locale. `lang` and `dir` are the words'
 * language and direction. English stands in only where the widget must speak without the BFF.
 */
export const words: Record<string, string | undefined> & { lang: string } = {
  lang: "",
  dir: "",
  button: "Connect",
  open_again: "Open again",
  continue_here: "Continue in this tab",
  cancel: "Cancel",
  popup_blocked: "Pop-up blocked",
  error_not_signed_in_title: "You are signed out",
  error_network_title: "No connection",
};
