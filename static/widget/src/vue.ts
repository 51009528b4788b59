// The elements in Vue's templates: `import "hitchpost/vue"`. Vue's TSX needs no types: it accepts any element.
import type { DefineComponent } from "vue";
import type { Details } from "./events.js";
import type { HitchpostConnectAttributes, HitchpostConnectionsAttributes } from "./globals.js";

export * from "./package.js";

/** `@hitchpost:connected` in a template is the property `onHitchpost:connected`. */
type Listeners = { [Name in keyof Details as `onHitchpost:${Name}`]?: (event: CustomEvent<Details[Name]>) => void };

declare module "vue" {
  interface GlobalComponents {
    "hitchpost-connect": DefineComponent<HitchpostConnectAttributes & Listeners>;
    "hitchpost-connections": DefineComponent<HitchpostConnectionsAttributes & Listeners>;
  }
}
