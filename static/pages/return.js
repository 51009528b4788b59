// Reports to the server that the browser came back, and with which error; asks the user where that is not enough to
// know how it went. Then it tells the opener if there is one, and gets out of the way.
const { origin, attempt } = document.body.dataset;
/** So long (milliseconds) the server may take to see what the partner service stored. */
const AGAIN = 1000;
/** No error has a longer name: what is longer is none, and told as such all the same. */
const LONGEST = 100;

document.querySelector("[data-close]")?.addEventListener("click", () => window.close());
for (const button of document.querySelectorAll("[data-finished]")) {
  button.addEventListener("click", () => answered(button.dataset.finished));
}

/** The error of the query, or of the fragment, where some put it. */
function error() {
  const [query, fragment] = [location.search, location.hash.replace("#", "?")].map((part) => new URLSearchParams(part));
  return (query.get("error") || fragment.get("error") || "").slice(0, LONGEST);
}

function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
}

async function report(fields) {
  try {
    const body = new URLSearchParams({ error: error(), ...fields });
    const response = await fetch(location.pathname, { method: "POST", body });
    return response.ok ? await response.json() : {};
  } catch {
    return {}; // The page that waits polls the server: it learns the end without us.
  }
}

function leave(answer) {
  window.opener?.postMessage({ type: "hitchpost.returned", attempt }, origin);
  if (answer.return_url) {
    location.replace(answer.return_url);
    return;
  }
  window.close();
  show("done");
}

async function answered(finished) {
  show("finishing");
  leave(await report({ finished }));
}

async function begin() {
  let answer = await report({});
  if (answer.status === "launched") {
    await new Promise((resume) => setTimeout(resume, AGAIN));
    answer = await report({});
  }
  if (answer.status !== "launched") {
    leave(answer);
    return;
  }
  show("ask");
  document.querySelector("#ask h1").focus();
}

void begin();
