// The words that the user reads: the product's, once the BFF has told them.

/**
 * By key; behind a language tag those that some element asks for by its own locale. `lang` and `dir` are the words'
 * language and direction.
 */
export const words = {
  lang: "",
  dir: "",
  // In English until the BFF has told it: the key itself would not be understood.
  button: "Connect",
  // Without a prototype no key that the BFF tells is anything but a key.
  __proto__: null,
} as unknown as Record<string, string | undefined> & { lang: string };

/** A key as English, where nothing better is known: `connector_unavailable` is "Connector unavailable". */
export const spelled = (key: string): string => key.replace(/^./, (first) => first.toUpperCase()).replace(/_/g, " ");
