import { expect, test } from "vitest";
import { parseTemplate, renderTemplate } from "./chat-template.mjs";

const MESSAGES = [
  { role: "system", content: " Be <brief>. " },
  { role: "user", content: "what is 2 + 2?" },
  { role: "assistant", content: "  é 4 " },
];

function render(template: string, messages: readonly unknown[] = MESSAGES): string {
  const tokens = { bos_token: "<s>", eos_token: "</s>" };
  return renderTemplate(parseTemplate(template), { ...tokens, add_generation_prompt: false, tools: null, messages });
}

// What transformers 5.17 (`render_jinja_template`) writes of the same.
test.each([
  [
    "blocks take their line",
    "{% for m in messages %}\n  {% if loop.first %}\n[first]\n  {% endif %}\n{{ m['role'] }}: {{ m.content | trim }}\n{% endfor %}\nend\n",
    "[first]\nsystem: Be <brief>.\nuser: what is 2 + 2?\nassistant: é 4\nend",
  ],
  [
    "a system message set apart",
    "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- set rest = messages[1:] %}{%- else %}{%- set system = '' %}{%- set rest = messages %}{%- endif %}{{- bos_token }}{% for m in rest %}{{ '[' + m['role'] | upper + ']' + (system if loop.first else '') + m['content'] }}{% endfor %}{{ eos_token }}",
    "<s>[USER] Be <brief>. what is 2 + 2?[ASSISTANT]  é 4 </s>",
  ],
  [
    "a namespace and tests",
    "{% set ns = namespace(n=0) %}{% for m in messages %}{% if m.role == 'user' and m.content is string %}{% set ns.n = ns.n + 1 %}{% endif %}{% endfor %}{{ ns.n }} {{ tools is none }} {{ missing is defined }} {{ messages | length }} {{ messages[-1].content.split(' ') | join('_') }} {{ range(2, 7, 2) | list }}",
    "1 True False 3 __é_4_ [2, 4, 6]",
  ],
  ["JSON", "{{ messages[0] | tojson }}", '{"role": "system", "content": " Be <brief>. "}'],
  [
    "a macro",
    "{% macro turn(m) %}<{{ m.role }}>{{ m.content }}{% endmacro %}{% for m in messages %}{{ turn(m) }}{% endfor %}",
    "<system> Be <brief>. <user>what is 2 + 2?<assistant>  é 4 ",
  ],
])("%s", (_, template, text) => expect(render(template)).toBe(text));

test("prints as Python does", () => {
  // As jinja2 does: `None`, and nothing for a comment, an assignment and what is not there.
  expect(render("{{ none }}{# c #}{% set a = 1 %}{{ missing }}{{ true }}{{ 1 == 2 }}{{ 1.0 }}")).toBe(
    "NoneTrueFalse1.0",
  );
});

test("the date never changes", () => {
  expect(render("{{ strftime_now('%d %b %Y, 100%%') }}")).toBe("26 Jul 2024, 100%");
});

test("a key of a message means nothing", () => {
  const message = JSON.parse('{"role": "user", "content": "x", "__proto__": {"polluted": 1}, "constructor": 2}');
  expect(render("{{ messages[0]['constructor'] }}{{ messages[0].toString is defined }}", [message])).toBe("2False");
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test.each([
  ["{{ range(1000000) }}", "too-slow"],
  ["{{ range(0, 10, 0) }}", "too-slow"],
  ["{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", "too-slow"],
  ["{{ raise_exception('no') }}", "refused"],
])("%s is stopped", (template, kind) => {
  expect(() => render(template)).toThrow(expect.objectContaining({ kind }));
});

test("a template that is none is a syntax error of Jinja", () => {
  expect(() => parseTemplate("{% for %}")).toThrow();
});
