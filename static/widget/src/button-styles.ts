// The look of a button before the panel is loaded. panel-styles.ts has the rest.
import { sheetOf } from "./sheet.js";

// It has the same height as later, so that nothing moves.
const BUTTON = `:host{display:inline-block}[hidden],:host([hidden]){display:none}\
[part=button]{padding:.6em 1em;min-height:2.75em;border:1px solid;border-radius:var(--hitchpost-radius,.5em);font:inherit;\
color:var(--hitchpost-accent-ink,light-dark(#fff,#000));background:var(--hitchpost-accent,light-dark(#1d4ed8,#93c5fd))}`;

/** The style sheet that all elements share. */
export const sheet = sheetOf(BUTTON);
