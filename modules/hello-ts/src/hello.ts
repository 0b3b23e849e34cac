/**
 * The smallest composition module, in TypeScript: one kind, `Greeting`, with a card and a
 * seal. It answers the same as modules/hello: the fixtures beside that one are this one's
 * too.
 */

import { api, composition, invalid } from "croft-sdk";
import { ConfigMap, Secret } from "kubernetes-models/v1";
import * as z from "zod";

import { languageOf } from "./language.js";

export const Greeting = api({
  group: "kro.run",
  version: "v1alpha1",
  kind: "Greeting",
  description: "Somebody to greet, with a card and a seal.",
  spec: z.object({
    name: z.string().describe("Who is greeted. It is part of the names of the children."),
    greeting: z.string().default("Hello").describe("What to greet with."),
  }),
  status: z.object({
    message: z.string().optional().describe("What the card says."),
  }),
});

export default composition(Greeting, (plan) => {
  const card = plan.child("card", ConfigMap);
  const seal = plan.child("seal", Secret).after(card);

  return ({ spec: { name, greeting } }, cx) => {
    check(name);
    cx.child(card, {
      metadata: { name: `${name}-card` },
      data: { message: `${greeting}, ${name}!`, language: languageOf(greeting) },
    });
    cx.status({ message: cx.observed(card)?.data?.message });

    // The seal needs what only a server gives: until then, it waits.
    const uid = cx.wait(card, "metadata.uid", (card) => card.metadata?.uid);
    cx.child(seal, {
      metadata: { name: `${name}-seal` },
      stringData: { signature: `sealed on card ${uid}` },
    });
  };
});

/** Refuses a name that cannot be part of an object's. */
function check(name: string): void {
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) return;
  throw invalid("spec.name", `\`${name}\` cannot be part of an object's name`)
    .code("InvalidName")
    .hint("write a name of lower-case letters, digits and `-`, such as `ada`");
}
