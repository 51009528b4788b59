// Elements on the page of a test, and the events that the document receives.
import { beforeAll, beforeEach } from "vitest";
import { listen } from "../src/buttons.js";
import { HitchpostConnect } from "../src/element.js";
import { kit } from "../src/kit.js";
import { hooks } from "../src/hooks.js";
import { install } from "../src/panel.js";
import * as resume from "../src/resume.js";
import { ELEMENT_NAME } from "../src/request.js";
import type { Details } from "../src/events.js";
import { FakePopup } from "./fake-popup.js";
import { pass, type Page } from "./page.js";

export interface Seen {
  steps: string[];
  connected: Details["connected"][];
  failed: Details["failed"][];
}

/** Defines the element, listens to the host's own buttons, and collects the events that the document receives in each test. */
export function useElements(): Seen {
  const seen: Seen = { steps: [], connected: [], failed: [] };
  beforeAll(() => {
    customElements.define(ELEMENT_NAME, HitchpostConnect);
    hooks.installed = true; // As usual, the panel is loaded before the first press.
    hooks.importModule = (url) => (url.includes("resume") ? Promise.resolve(resume) : Promise.reject(new Error(url)));
    install(kit);
    listen();
    document.addEventListener("hitchpost:step", ({ detail }) => seen.steps.push(detail.step));
    document.addEventListener("hitchpost:connected", ({ detail }) => seen.connected.push(detail));
    document.addEventListener("hitchpost:failed", ({ detail }) => seen.failed.push(detail));
  });
  beforeEach(() => {
    Object.assign(seen, { steps: [], connected: [], failed: [] });
  });
  return seen;
}

export function add(tag: string, attributes: Record<string, string>, text = ""): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  document.body.appendChild(element);
  return element;
}

/** The element of the CRM, after its configuration is loaded. */
export async function shown(attributes: Record<string, string> = {}): Promise<HTMLElement> {
  const element = add("hitchpost-connect", { connector: "crm", ...attributes });
  await pass(500);
  return element;
}

export function part(element: HTMLElement, name: string): HTMLElement {
  const found = element.shadowRoot?.querySelector<HTMLElement>(`[part=${name}]`);
  if (!found) throw new Error(`no part ${name}`);
  return found;
}

export const main = (element: HTMLElement): HTMLElement => part(element, "button");
export const status = (element: HTMLElement): string => part(element, "status").textContent;
export const offered = (element: HTMLElement): HTMLElement[] => [...part(element, "actions").querySelectorAll("button")];
export const names = (element: HTMLElement): string[] => offered(element).map(({ textContent }) => textContent);

export function pick(element: HTMLElement, name: string): void {
  const button = offered(element).find(({ textContent }) => textContent === name);
  if (!button) throw new Error(`${name} is not offered`);
  button.click();
}

/** The opening page asks for its launch token, and is launched. */
export async function launch(page: Page): Promise<void> {
  await pass(0);
  FakePopup.last.ready();
  await pass(0);
  page.bff.last.status = "launched";
}
