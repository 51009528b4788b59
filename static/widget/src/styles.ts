import { sheetOf } from "./sheet.js";

// How a button looks from the first on; the rest comes with the panel (looks.ts).

// As large as it will be once the rest has come, so that nothing moves then.
const BUTTON = `:host{display:inline-block}[hidden]{display:none}\
[part=button]{padding:.6em 1em;border:1px solid;border-radius:var(--hitchpost-radius,.5em);font:inherit;\
color:var(--hitchpost-accent-ink,light-dark(#fff,#000));background:var(--hitchpost-accent,light-dark(#1d4ed8,#93c5fd))}`;

/** One sheet for all elements. */
export const sheet = sheetOf(BUTTON);
