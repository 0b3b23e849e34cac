#!/usr/bin/env node
/**
 * `croft-componentize SOURCE -o FILE`: bundles a module with esbuild, and makes a component
 * of the bundle with componentize-js. The component imports nothing but croft's log.
 */

import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { isObject } from "./contract.js";

const USAGE = `Make a component of a module in TypeScript or JavaScript

Usage: croft-componentize SOURCE -o FILE

SOURCE exports the module as its default: \`export default composition(…)\`.
croft checks the component: \`croft module pack FILE -o FILE\`.`;

/** What is called of componentize-js. */
interface ComponentizeJs {
  componentize(
    source: string,
    options: { witWorld: string; worldName: string; disableFeatures: string[] },
  ): Promise<{ component: Uint8Array }>;
}

/** What is called of esbuild. */
interface Esbuild {
  build(options: object): Promise<{ outputFiles: { text: string }[] }>;
}

/** All that componentize-js could bring of WASI: a module is a pure function. */
const WASI = ["stdio", "random", "clocks", "http", "fetch-event"] as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  const [source] = positionals;
  if (values.help || positionals.length !== 1 || source === undefined || values.output === undefined) {
    console.error(USAGE);
    process.exit(values.help ? 0 : 2);
  }
  const file = resolve(source);
  const { componentize } = await tool<ComponentizeJs>("@bytecodealliance/componentize-js", file);
  const bundle = await bundled(file);
  const witPath = fileURLToPath(new URL("../wit/composition.wit", import.meta.url));
  const witWorld = await readFile(witPath, "utf8");
  const { component } = await componentize(bundle, { witWorld, worldName: "module", disableFeatures: [...WASI] });
  await writeFile(values.output, component);
}

/** One file with everything that a module needs, which exports the contract's interface. */
async function bundled(source: string): Promise<string> {
  const { build } = await tool<Esbuild>("esbuild", source);
  const contents = `
    import { composer as exported } from "croft-sdk/component";
    import { log } from "croft:composition/log@0.1.0";
    import module from ${JSON.stringify(`./${basename(source)}`)};
    export const composer = exported(module, log);`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dirname(source), sourcefile: "component.js" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    mainFields: ["module", "main"],
    conditions: ["import"],
    external: ["croft:*"],
    // One zod, and it is the project's, also where this package is linked.
    preserveSymlinks: true,
    legalComments: "none",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

/**
 * A package of the module's project. This one may be linked into it from a folder of its
 * own, where the project's packages are not.
 */
async function tool<T>(name: string, source: string): Promise<T> {
  for (let folder = dirname(source); ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    const manifest = await readFile(join(found, "package.json"), "utf8").catch(() => undefined);
    if (manifest !== undefined) return (await import(pathToFileURL(join(found, entry(JSON.parse(manifest)))).href)) as T;
    if (folder === dirname(folder)) throw new Error(`\`${name}\` is not installed\nhint: \`npm install --save-dev ${name}\``);
  }
}

/** The file that an import of a package means. */
function entry({ exports, main }: { exports?: unknown; main?: string }): string {
  let found: unknown = exports;
  while (isObject(found)) found = found["."] ?? found["import"] ?? found["node"] ?? found["default"];
  return typeof found === "string" ? found : (main ?? "index.js");
}

main().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
