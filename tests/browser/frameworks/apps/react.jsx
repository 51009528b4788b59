import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

function Integrations() {
  // A new key makes a new element, as a changed list or route does.
  const [generation, setGeneration] = useState(0);
  return (
    <main>
      <button onClick={() => setGeneration(generation + 1)}>Re-render</button>
      <hitchpost-connect key={generation} connector="sandbox" />
      <p role="status" />
    </main>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <Integrations />
  </StrictMode>,
);
