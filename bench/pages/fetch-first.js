// Asks the BFF for the sign-in URL, then opens a window there.
const { bff, session } = document.currentScript.dataset;

document.getElementById("connect").addEventListener("click", async () => {
  const response = await fetch(`${bff}/sign-in-url`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${session}` },
    body: JSON.stringify({ connector: "sandbox" }),
  });
  const { url } = await response.json();
  open(url, "_blank", "popup,width=520,height=680");
});
