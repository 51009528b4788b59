// The texts that the user reads, which come from the BFF.

/**
 * By key. Texts that an element asked for in its own language have the language tag before the key. `lang` and `dir` are
 * the texts' language and direction.
 */
export const words = {
  lang: "",
  dir: "",
  // Until the BFF has told it: "Button" would not be understood.
  button: "Connect",
  // Without a prototype, so that no key is taken for a method.
  __proto__: null,
} as unknown as Record<string, string | undefined> & { lang: string };

/** A key as English text: `connector_unavailable` becomes "Connector unavailable". */
export const humanize = (key: string): string => key.replace(/^./, (first) => first.toUpperCase()).replace(/_/g, " ");
