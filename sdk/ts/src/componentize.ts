#!/usr/bin/env node
/**
 * `croft-componentize SOURCE -o FILE`: bundles a module with esbuild, and makes a component
 * of the bundle with componentize-js. The component imports nothing but croft's log.
 */

import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const USAGE = `Make a component of a module in TypeScript or JavaScript

Usage: croft-componentize SOURCE -o FILE

SOURCE exports the module as its default: \`export default composition(…)\`.
croft checks the component: \`croft module pack FILE -o FILE\`.`;

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
  const bundle = await bundled(resolve(source));
  const { componentize } = await tool(() => import("@bytecodealliance/componentize-js"), "@bytecodealliance/componentize-js");
  const witPath = fileURLToPath(new URL("../wit/composition.wit", import.meta.url));
  const witWorld = await readFile(witPath, "utf8");
  const { component } = await componentize(bundle, { witWorld, worldName: "module", disableFeatures: [...WASI] });
  await writeFile(values.output, component);
}

/** One file with everything that a module needs, which exports the contract's interface. */
async function bundled(source: string): Promise<string> {
  const { build } = await tool(() => import("esbuild"), "esbuild");
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
    legalComments: "none",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

async function tool<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(`'${name}'`)) throw error;
    throw new Error(`\`${name}\` is not installed\nhint: \`npm install --save-dev ${name}\``);
  }
}

main().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
