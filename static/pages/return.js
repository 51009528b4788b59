// Reports to the server that the browser came back, tells the opener if there is one, and gets out of the way.
const { origin, attempt } = document.body.dataset;

document.querySelector("[data-close]")?.addEventListener("click", () => window.close());

async function report() {
  try {
    const response = await fetch(location.pathname, { method: "POST" });
    return response.ok ? await response.json() : {};
  } catch {
    return {}; // The page that waits polls the server: it learns the end without us.
  }
}

report().then((answer) => {
  window.opener?.postMessage({ type: "hitchpost.returned", attempt }, origin);
  if (answer.return_url) {
    location.replace(answer.return_url);
    return;
  }
  window.close();
  document.getElementById("finishing").hidden = true;
  document.getElementById("done").hidden = false;
});
