// The elements in Vue's templates: `import "hitchpost/vue"`. Its TSX takes any element as it is.
import type { DefineComponent } from "vue";
import type { Details } from "./events.js";
import type { HitchpostConnectAttributes, HitchpostConnectionsAttributes } from "./globals.js";

export * from "./package.js";

/** `@hitchpost:connected` in a template. */
type Listeners = { [Name in keyof Details as `onHitchpost:${Name}`]?: (event: CustomEvent<Details[Name]>) => void };

declare module "vue" {
  interface GlobalComponents {
    "hitchpost-connect": DefineComponent<HitchpostConnectAttributes & Listeners>;
    "hitchpost-connections": DefineComponent<HitchpostConnectionsAttributes & Listeners>;
  }
}
