import "./app/mantine.css";
import "@mantine/notifications/styles.css";
import "./app/fonts.css";
import "./app/global.css";

import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { styleNonce } from "./app/features";

// Libraries below Mantine make style elements of their own: they ask here for the nonce.
setNonce(styleNonce());

createRoot(document.getElementById("root")!).render(<App />);
