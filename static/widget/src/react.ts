// The elements in TSX, for React 19: `import "hitchpost/react"`.
import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { Details } from "./events.js";
import type { HitchpostConnectAttributes, HitchpostConnectElement, HitchpostConnectionsAttributes } from "./globals.js";

export * from "./package.js";

/** React 19 listens for an event `NAME` of a custom element by a property `onNAME`. */
type Listeners = { [Name in keyof Details as `onhitchpost:${Name}`]?: (event: CustomEvent<Details[Name]>) => void };
type Props<Own, Tag> = DetailedHTMLProps<HTMLAttributes<Tag>, Tag> & Own & Listeners & { class?: string | undefined };

declare module "react" {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- it is React's own
  namespace JSX {
    interface IntrinsicElements {
      "hitchpost-connect": Props<HitchpostConnectAttributes, HitchpostConnectElement>;
      "hitchpost-connections": Props<HitchpostConnectionsAttributes, HTMLElement>;
    }
  }
}
