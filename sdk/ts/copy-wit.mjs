// The contract travels with the package: componentize-js reads it.
import { copyFileSync, existsSync, mkdirSync } from "node:fs";

const contract = new URL("../../wit/composition.wit", import.meta.url);
mkdirSync(new URL("./wit/", import.meta.url), { recursive: true });
if (existsSync(contract)) copyFileSync(contract, new URL("./wit/composition.wit", import.meta.url));
