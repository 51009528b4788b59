// The words that the user reads: the product's, once the BFF has told them.

/**
 * By key; behind a language tag those that some element asks for by its own locale. `lang` and `dir` are the words'
 * language and direction. English stands in only where the widget must speak without the BFF.
 */
export const words = {
  lang: "",
  dir: "",
  // Without a prototype no key that the BFF tells is anything but a key.
  __proto__: null,
  button: "Connect",
  open_again: "Open again",
  continue_here: "Continue in this tab",
  cancel: "Cancel",
  popup_blocked: "Pop-up blocked",
  error_not_signed_in_title: "You are signed out",
  error_network_title: "No connection",
} as unknown as Record<string, string | undefined> & { lang: string };
