/** {{Kind}}: what users write, and what comes of it. */

import { api, composition, invalid } from "croft-sdk";
import { ConfigMap } from "kubernetes-models/v1";
import * as z from "zod";

/** What users write. Its fields and their descriptions are the API. */
export const {{Kind}} = api({
  group: "{{group}}",
  version: "v1alpha1",
  kind: "{{Kind}}",
  description: "Something to say.",
  spec: z.object({
    message: z.string().describe("What is said."),
    times: z.int().min(1).max(10).default(1).describe("How often it is said."),
  }),
  status: z.object({
    text: z.string().optional().describe("What the text says by now."),
  }),
});

export default composition({{Kind}}, (plan) => {
  const text = plan.child("text", ConfigMap);

  return ({ metadata, spec: { message, times } }, cx) => {
    if (message.trim() === "") {
      throw invalid("spec.message", "there is nothing to say").code("EmptyMessage").hint("write a word, such as `Hello`");
    }
    const said = Array(times).fill(message).join(" ");
    cx.child(text, { metadata: { name: metadata.name }, data: { text: said } });

    // What a server has of it by now: nothing at first.
    cx.status({ text: cx.observed(text)?.data?.text });
  };
});
