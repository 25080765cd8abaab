import { html, nothing, type TemplateResult } from "lit";
import "../panels/flip-list.ts";
import "../panels/generation.ts";
import "../panels/healing.ts";
import "../panels/survival.ts";
import "../panels/tasks.ts";
import "../panels/token-facts.ts";
import "../panels/word-text.ts";
import { NOT_FETCHED } from "../parts/fetched.ts";
import { type AskedOnce, isOld } from "./asked-once.ts";
import { chosenScheme, isSameRun, type LabState, measureStep } from "./lab-state.ts";
import { healedToken, healKey, schemeWords, tokenKey } from "./words-state.ts";

/** What quantizing does to the words. */
export function wordsSurface(state: LabState, begin: TemplateResult): TemplateResult {
  const { model, job, words } = state;
  if (model === null) return job === null ? begin : html``;
  const { measured, pieces, token, healing, looks, heals } = words;
  const scheme = chosenScheme(state)?.scheme ?? state.scheme;
  const own = schemeWords(words, scheme);
  const isMeasuring = job?.kind === "measuring";
  const recipes = measuredRecipes(state);
  const text = measured?.text ?? null;
  const data =
    measured === null
      ? null
      : {
          ...{ tokens: measured.tokens, text: measured.text, window: words.window, scheme },
          scores: own?.scores ?? null,
          flips: own?.flips ?? [],
        };
  const facts =
    measured === null || own === null || token === null
      ? null
      : { tokens: measured.tokens, text: measured.text, token, scheme, scores: own.scores };
  const healed = healedToken(words);
  const heal = healing.isWhole || healed !== null ? heals.get(healKey(scheme, healing, healed)) : undefined;
  const subject = `${model.name} ${scheme}`;
  return html`
    <div class="${measured === null ? "" : "split"} numbers-of-text">
      <section class="main" aria-label="The text">
        <lab-word-text .data=${data} .pieces=${pieces} .piecesFailure=${words.piecesFailure} .chosen=${token} .schemes=${recipes}
          .isMeasuring=${isMeasuring} .canMeasure=${measureStep(state) !== null}></lab-word-text>
      </section>
      ${
        measured === null
          ? nothing
          : html`<section class="aside" aria-label="The chosen word">
              <lab-token-facts .data=${facts} .look=${token === null ? NOT_FETCHED : (looks.get(tokenKey(scheme, token)) ?? NOT_FETCHED)}
                .pieces=${pieces} .isBusy=${job !== null}></lab-token-facts>
              <lab-healing .healing=${healing} .view=${heal ?? NOT_FETCHED} .hasToken=${token !== null} .hasScores=${own !== null}
                .isBusy=${job !== null} .subject=${subject}></lab-healing>
            </section>`
      }
    </div>
    ${
      measured === null
        ? nothing
        : html`<section class="band pair uneven numbers-of-text" aria-label="All positions">
            <lab-survival .tokens=${measured.tokens} .recipes=${recipes} .selected=${scheme} .isPartial=${isMeasuring} .model=${model.name}></lab-survival>
            ${own === null ? nothing : html`<lab-flip-list .flips=${own.flips} .text=${text} .pieces=${pieces} .scheme=${scheme} .chosen=${token}></lab-flip-list>`}
          </section>`
    }
    <section class="band" aria-label="More measures">
      <h2 class="band-name">More measures</h2>
      <div class="pair">
        <lab-generation .ask=${words.generationAsk} .view=${words.generation.view} .isOld=${isOlder(state, words.generation)} .isBlocked=${job !== null}></lab-generation>
        <lab-tasks .file=${words.taskFile} .view=${words.answers.view} .isOld=${isOlder(state, words.answers)} .isBlocked=${job !== null}></lab-tasks>
      </div>
    </section>
  `;
}

/** Measured rows that are recipes; a checkpoint that was given beside them cannot be chosen. */
function measuredRecipes({ words, measured, asked }: LabState): readonly string[] {
  const given = new Set(
    measured?.result.rows.filter(({ method }) => method === "given").map(({ scheme }) => scheme) ?? [],
  );
  const rows = words.measured?.tokens.rows.map(({ scheme }) => scheme) ?? asked.schemes;
  return rows.filter((scheme) => !given.has(scheme));
}

/** Whether something else would be asked now. */
function isOlder(state: LabState, once: AskedOnce<unknown>): boolean {
  return isOld(once, state, isSameRun);
}
