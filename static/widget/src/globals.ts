// The types of a page that has the widget: its elements, its events, `window.Hitchpost`.
import type { Connection, ConnectOptions, ConnectResult, Settings } from "./types.js";

export type * from "./events.js";

/** `window.Hitchpost`, and what `hitchpost/element` exports. */
export interface HitchpostApi {
  /** Sets where the BFF is, which product this is, and how to get a session token. Call it again when another user signs in. */
  configure: (given: Partial<Settings>) => void;
  /** Connects the signed-in user's account. Call it inside a click, with nothing awaited before. */
  connect: (connector: string, options?: ConnectOptions) => Promise<ConnectResult>;
  /** What the signed-in user's account has connected. */
  connections: () => Promise<Connection[]>;
  /** Ends a connection, and fires `hitchpost:disconnected` on `target`. */
  disconnect: (connection: string, target?: EventTarget) => Promise<void>;
}

/** `<hitchpost-connect>` */
export interface HitchpostConnectElement extends HTMLElement {
  disabled: boolean;
}

/** The attributes of `<hitchpost-connect>`. */
export interface HitchpostConnectAttributes {
  /** Key of a connector that the product offers. */
  connector: string;
  /** Id of the one connection that the element shows and reconnects. */
  connection?: string | undefined;
  /** Key of one of the product's callback messages. */
  message?: string | undefined;
  /** BCP 47 language tag of the texts that the user reads. */
  locale?: string | undefined;
  /** `return` signs in inside this tab instead of a popup. */
  delivery?: "message" | "return" | undefined;
  disabled?: boolean | undefined;
}

/** The attributes of `<hitchpost-connections>`. */
export type HitchpostConnectionsAttributes = Pick<HitchpostConnectAttributes, "locale" | "message" | "delivery">;

declare global {
  interface HTMLElementTagNameMap {
    "hitchpost-connect": HitchpostConnectElement;
    "hitchpost-connections": HTMLElement;
  }
  var Hitchpost: HitchpostApi;
}
