/** What is called of tools that a module's project brings. */

declare module "@bytecodealliance/componentize-js" {
  export function componentize(
    source: string,
    options: { witWorld: string; worldName: string; disableFeatures: string[] },
  ): Promise<{ component: Uint8Array }>;
}

declare module "esbuild" {
  export function build(options: object): Promise<{ outputFiles: { text: string }[] }>;
}
