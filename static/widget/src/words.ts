// The words that the user reads: the product's, once the BFF has told them.

/**
 * By key; behind a language tag those that some element asks for by its own locale. `lang` and `dir` are the words'
 * language and direction.
 */
export const words = {
  lang: "",
  dir: "",
  // Without a prototype no key that the BFF tells is anything but a key.
  __proto__: null,
  error_network_title: "No connection",
} as unknown as Record<string, string | undefined> & { lang: string };

/** A key as English, where nothing better is known: `connector_unavailable` is "Connector unavailable". */
export const spelled = (key: string): string => key.charAt(0).toUpperCase() + key.slice(1).replace(/_/g, " ");

/** What to do, before trying again, about what may go wrong without a word of the BFF's. */
const REMEDY: Record<string, string | undefined> = {
  popup_blocked: "Allow pop-ups",
  not_signed_in: "Sign in",
  network: "Check your network",
  invalid_request: "Ask support",
};

/** The title of an error. */
export const titleOf = (code: string): string => words[`error_${code}_title`] ?? spelled(code);

/** What to do now. */
export const nextStepOf = (code: string): string => words[`error_${code}_next_step`] ?? (REMEDY[code] ?? "Wait") + ", then try again.";
