// Inside the preview: drives the real widget to one of its states, and sees to it that nothing real happens.
const ask = window.fetch.bind(window);

/** So long (milliseconds) the widget may take from its words' arrival to having put them in place. */
const SETTLED = 60;

/** The widget reads its words; an attempt is never begun. */
window.fetch = async (resource, options) => {
  if ((options?.method ?? "GET") !== "GET") throw new TypeError("the preview begins nothing");
  const response = await ask(resource, options);
  if (!String(resource).includes("/v1/config") || !response.ok) return response;
  setTimeout(drive, SETTLED);
  return Response.json(connected(await response.json()));
};
window.open = () => null;
for (const name of ["click", "pointerdown", "pointerover", "pointerenter", "focusin", "focus"]) {
  window.addEventListener(name, (event) => {
    if (name === "click") event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}

/** The accounts that a scene shows, as the BFF would tell them. */
const ACCOUNTS = {
  connected: [["connected", "ada@acme.example", "Grace Hopper"]],
  asked: [["connected", "ada@acme.example", "Grace Hopper"]],
  needs_reconnect: [["needs_reconnect", "ada@acme.example", "Grace Hopper"]],
  pending: [["pending", "ada@acme.example", "Grace Hopper"]],
  unknown: [["unknown", "ada@acme.example", "Grace Hopper"]],
  several: [["connected", "ada@acme.example", ""], ["pending", "sales@acme.example", ""], ["unknown", "ops@acme.example", ""]],
};

/** The scenes that show <hitchpost-connections>. */
const LISTS = ["few", "list", "none", "failed"];

/** The configuration with these accounts; the list has some of everything, and is long enough to be searched. */
function connected(config) {
  const { account } = document.body.dataset;
  // An answer with words alone: as if the connectors could not be read.
  if (account === "failed") return { ...config, connectors: undefined };
  const whole = LISTS.includes(account);
  const some = [ACCOUNTS.connected, ACCOUNTS.needs_reconnect, [], ACCOUNTS.several];
  const connectors = config.connectors.map((offer, at) => standing(offer, (whole ? some[at] : ACCOUNTS[account]) ?? []));
  const [first] = config.connectors, words = { ...config.words };
  for (let at = 0; whole && account !== "few" && connectors.length < 13; at++) {
    connectors.push({ ...standing(first, []), key: `more-${at}` });
    for (const [name, text] of Object.entries(config.words)) {
      if (name.startsWith(`${first.key} `)) words[name.replace(first.key, `more-${at}`)] = text;
    }
  }
  return { ...config, connectors, words };
}

function standing(offer, accounts) {
  const connections = accounts.map(([state, external_account, connected_by_name], at) => ({
    id: String(at), connector: offer.key, name: offer.name, state, external_account, connected_by_name,
    connected_at: "2026-03-03T09:00:00+00:00", may_disconnect: true,
  }));
  return { ...offer, connections, multiple: accounts.length > 1, state: accounts[0]?.[0] ?? "disconnected" };
}

/** Takes the step. Takes it again whenever the widget draws itself anew and finds no sign-in that has such a step. */
function keepStep(element, take) {
  take();
  const state = element.getAttribute("state");
  new MutationObserver(() => {
    if (element.getAttribute("state") !== state) take();
  }).observe(element, { attributeFilter: ["state"] });
}

/** Whether the scene has been put together before. */
let pressed = false;

function drive() {
  const root = document.querySelector("hitchpost-connections, hitchpost-connect")?.shadowRoot;
  const { account } = document.body.dataset;
  // The panel, or the list, may come a moment after the words.
  const list = account === "failed" ? "[part=again]:not([hidden])" : "li hitchpost-connect";
  const beside = account ? "[part=account]" : "[part=status]";
  if (!root?.querySelector(LISTS.includes(account) ? list : beside)) {
    setTimeout(drive, SETTLED);
    return;
  }
  // The widget may read its words twice, as an element may have a language of its own: the second press would answer the question.
  if (account === "asked" && !pressed) root.querySelector("[part=box] > [part=actions] button").onclick();
  pressed = true;
  if (account === "none") {
    const search = root.querySelector("input");
    search.value = "?!";
    search.oninput();
  }
  const { step, code, title, nextStep, supportCode } = document.body.dataset;
  for (const element of document.querySelectorAll("hitchpost-connect")) {
    const fire = (name, detail) => element.dispatchEvent(new CustomEvent(`hitchpost:${name}`, { detail }));
    if (step) keepStep(element, () => fire("step", { step }));
    else if (code === "connected") fire("connected", {});
    else if (code) fire("failed", { code, title, nextStep, supportCode, attempt: "att_preview" });
  }
  document.documentElement.dataset.shown = document.documentElement.dataset.scene;
}
