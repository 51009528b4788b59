// Opens a blank window inside the click, asks the BFF for the sign-in URL, then sends the window there.
const { bff, session } = document.currentScript.dataset;

document.getElementById("connect").addEventListener("click", async () => {
  const popup = open("about:blank", "_blank", "popup,width=520,height=680");
  const response = await fetch(`${bff}/sign-in-url`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${session}` },
    body: JSON.stringify({ connector: "sandbox" }),
  });
  const { url } = await response.json();
  popup.location = url;
});
