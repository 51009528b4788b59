// The types of the elements, the events and `window.Hitchpost`. They are tested by the compiler.
// @vitest-environment node
import type {} from "../src/react.js";
import type { GlobalComponents } from "vue";
import type {} from "../src/vue.js";
import { describe, expect, it } from "vitest";
import type { JSX } from "react";
import type { ConnectErrorCode, ConnectResult } from "../src/types.js";

/** In TSX, where the properties of each element are checked. */
export const connect: JSX.IntrinsicElements["hitchpost-connect"] = {
  connector: "crm",
  message: "crm-connected",
  delivery: "return",
  disabled: true,
  className: "wide",
  children: "Connect your CRM",
  "onhitchpost:connected": ({ detail }) => detail.connector,
};
export const list: JSX.IntrinsicElements["hitchpost-connections"] = { locale: "de" };

// @ts-expect-error -- the connector is required
export const lacking: JSX.IntrinsicElements["hitchpost-connect"] = { message: "done" };
export const wrong: JSX.IntrinsicElements["hitchpost-connect"] = {
  connector: "crm",
  // @ts-expect-error -- there is no such delivery
  delivery: "tab",
};

/** In a Vue template. */
export type InVue = InstanceType<GlobalComponents["hitchpost-connect"]>["$props"];
export const inVue: InVue = { connector: "crm", "onHitchpost:failed": ({ detail }) => detail.code };

/** Listeners on the document, on the window, on the element. */
export function listen(): void {
  document.addEventListener("hitchpost:connected", ({ detail }: CustomEvent<ConnectResult>) => detail.receipt);
  window.addEventListener("hitchpost:failed", ({ detail }) => detail.code satisfies ConnectErrorCode);
  const element = document.createElement("hitchpost-connect");
  element.disabled = true;
  document.querySelector("hitchpost-connections")?.addEventListener("hitchpost:disconnected", ({ detail }) => detail.connection);
  void window.Hitchpost.connect("crm", { delivery: "return" }).then(({ attempt }) => attempt);
  window.Hitchpost.configure({ base: "https://connect.example.com", product: "my-app", session: () => "token" });
}

describe("the types", () => {
  it("are checked by the compiler", () => {
    expect(connect.connector).toBe("crm");
  });
});
