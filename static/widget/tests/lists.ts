// <hitchpost-connections> on the page of a test.
import { beforeAll } from "vitest";
import * as connections from "../src/connections.js";
import { hooks } from "../src/hooks.js";
import { add, part } from "./elements.js";
import { pass, type Page } from "./page.js";

/** Lets the panel, which defines the list, import connections.js. */
export function useLists(): void {
  beforeAll(() => {
    const { importModule } = hooks;
    hooks.importModule = (url) => (url.includes("connections") ? Promise.resolve(connections) : importModule(url));
  });
}

/** Offers this number of connectors. */
export function offer({ bff }: Page, count: number): void {
  for (let number = 1; number <= count; number++) bff.account.offers[`c${String(number)}`] = { name: `Connector ${String(number)}`, state: "disconnected" };
}

/** A list, after its configuration is loaded. */
export async function list(attributes: Record<string, string> = {}): Promise<HTMLElement> {
  const element = add("hitchpost-connections", attributes);
  await pass(500);
  return element;
}

export const rows = (element: HTMLElement): HTMLElement[] => [...(element.shadowRoot?.querySelectorAll<HTMLElement>("[part=row]") ?? [])];

/** The connectors of the rows that are not hidden. */
export const visible = (element: HTMLElement): (string | null | undefined)[] =>
  rows(element).filter((row) => !row.hidden).map((row) => row.firstElementChild?.getAttribute("connector"));

export const search = (element: HTMLElement): HTMLInputElement => part(element, "search") as HTMLInputElement;

/** The user types into the search field. */
export function type(element: HTMLElement, text: string): void {
  search(element).value = text;
  search(element).dispatchEvent(new Event("input"));
}
