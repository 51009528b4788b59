// Takes the launch token from the page that opened this one, and posts it. Nothing else may hand one in.
// It runs as soon as it is here, for neither the styles nor all of the page (`parsed`) are needed to ask for the token.
const { origin } = document.currentScript.dataset;
const opener = window.opener;
/** So long (milliseconds) the page that opened this one may take to begin. */
const PATIENCE = 30_000;

const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

function show(id) {
  for (const section of document.querySelectorAll("section")) section.hidden = section.id !== id;
}

function submit(token) {
  const form = document.querySelector("form");
  form.elements.launch_token.value = token;
  form.submit();
}

parsed.then(() => document.querySelector("[data-close]").addEventListener("click", () => window.close()));

if (opener) {
  window.addEventListener("message", function take(event) {
    if (event.origin !== origin || event.source !== opener) return;
    if (event.data?.type !== "hitchpost.launch" || typeof event.data.token !== "string") return;
    window.removeEventListener("message", take);
    clearTimeout(patience);
    parsed.then(() => submit(event.data.token));
  });
  opener.postMessage({ type: "hitchpost.ready" }, origin);
  // Whoever opened this page has given up, or was reloaded: nobody else will close it.
  const patience = setTimeout(show, PATIENCE, "stranded");
  // Back from the sign-in, to this page as it was left: it begins anew.
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
} else {
  // Opened by a link, or cut off by the host page's Cross-Origin-Opener-Policy.
  parsed.then(() => show("stranded"));
}
