// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PARTNER_ORIGIN } from "./fake-bff.js";
import { FakePopup } from "./fake-popup.js";
import { pass, usePage, type Watched } from "./page.js";

const page = usePage();
/** The plain messages that the page's own listener receives: those that are no objects. */
let heard: { data: unknown; origin: string }[] = [];
const listen = ({ data, origin }: MessageEvent<unknown>): void => {
  if (typeof data !== "object") heard.push({ data, origin });
};

beforeEach(() => {
  heard = [];
  addEventListener("message", listen);
});
afterEach(() => { removeEventListener("message", listen); });

/** A flow that turns out to be connected as soon as `signal` makes the widget ask. */
async function connected(signal: () => void, says: Record<string, unknown> = {}): Promise<Watched> {
  const flow = page.connect("crm");
  await pass(0);
  FakePopup.last.ready();
  await pass(0);
  Object.assign(page.bff.says, says);
  page.bff.end("connected");
  signal();
  await pass(6000);
  expect(flow.outcome).toMatchObject({ status: "connected" });
  return flow;
}

const returned = (): void => { FakePopup.last.say({ type: "hitchpost.returned" }, "https://bff.example"); };
const PLAIN = { message: "done at_1" };

describe("a page that listens for its plain message", () => {
  it("hears it from the widget when the sign-in came back to the BFF: the same text, the partner service's origin", async () => {
    await connected(returned, { message: "done", unsent: { data: "done", origin: PARTNER_ORIGIN } });
    expect(heard).toEqual([{ data: "done", origin: PARTNER_ORIGIN }]);
  });

  it("hears it from the widget when the window was cut off, and could post nothing", async () => {
    await connected(() => { FakePopup.last.closed = true; }, PLAIN);
    expect(heard).toEqual([{ data: "done at_1", origin: PARTNER_ORIGIN }]);
  });

  it("hears it once when the partner service has posted it", async () => {
    await connected(() => { FakePopup.last.say("done at_1", PARTNER_ORIGIN); }, PLAIN);
    expect(heard).toEqual([{ data: "done at_1", origin: PARTNER_ORIGIN }]);
  });

  it("hears it once when a read was under way as the partner service posted it", async () => {
    await connected(() => {
      page.bff.troubles.push(() => {
        FakePopup.last.say("done at_1", PARTNER_ORIGIN);
        return Response.json({ id: "at_1", status: "connected", result: { status: "connected" }, unsent: { data: "done at_1", origin: PARTNER_ORIGIN } });
      });
      FakePopup.last.say({ type: "hitchpost.trouble" });
    });
    expect(heard).toEqual([{ data: "done at_1", origin: PARTNER_ORIGIN }]);
  });

  it("hears nothing of a sealed one, which is the widget's own", async () => {
    await connected(returned);
    expect(heard).toEqual([]);
  });

  it("hears nothing when nothing is connected", async () => {
    const flow = page.connect("crm");
    await pass(0);
    FakePopup.last.ready();
    page.bff.end("declined");
    await pass(6000);
    expect(flow.outcome).toMatchObject({ code: "declined" });
    expect(heard).toEqual([]);
  });
});

it("tells a page whose user is not known to have done it that it is connected, and no more", async () => {
  const flow = await connected(returned, { attributed: false });
  expect(flow.outcome).toMatchObject({ status: "connected", attributed: false, receipt: null });
});
