import { html, nothing, type TemplateResult } from "lit";
import type { MeasureRow } from "../../engine/measure-result.ts";
import type { LayerResult, ModelSummary, SchemeResult } from "../../engine/result.ts";
import { SWEEP_KINDS } from "../../engine/sweep-words.ts";
import "../panels/activation-panel.ts";
import "../panels/calibration-text.ts";
import "../panels/compare-settings.ts";
import "../panels/depth-panel.ts";
import "../panels/divergence-table.ts";
import "../panels/error-map.ts";
import "../panels/export-panel.ts";
import "../panels/gpu-fit.ts";
import "../panels/layer-map.ts";
import "../panels/matrix-facts.ts";
import "../panels/matrix-sheet.ts";
import "../panels/method-cards.ts";
import "../panels/method-sheet.ts";
import "../panels/model-bytes.ts";
import "../panels/model-facts.ts";
import "../panels/rounding-switches.ts";
import "../panels/scheme-frontier.ts";
import "../panels/scheme-picker.ts";
import "../panels/scheme-summary.ts";
import "../panels/scheme-table.ts";
import "../panels/sweep-panel.ts";
import "../panels/tensor-tree.ts";
import "../panels/text-picker.ts";
import "../panels/throughput.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import { type Fetched, fetchedPart, NOT_FETCHED } from "../parts/fetched.ts";
import { isOld, jobState, NOT_ASKED } from "./asked-once.ts";
import {
  chosenLayer,
  chosenScheme,
  errorPartOf,
  exportBlocked,
  isSameRun,
  isStale,
  isTextOld,
  type LabState,
  measuredAlike,
  measureStep,
  otherScheme,
  sheetOf,
} from "./lab-state.ts";
import { sweepKey } from "./layers-state.ts";
import { asksForCalibration, asksForRanges } from "./run-rules.ts";
import { wordsSurface } from "./words-surface.ts";

/** Before anything is measured. */
const NO_ROWS: readonly MeasureRow[] = [];

/** More decoder layers than this need the whole width. */
const WIDE_LAYERS = 16;

/** The surface that is chosen, below its headline. `begin` are the buttons that an empty page offers. */
export function surface(state: LabState, begin: TemplateResult): TemplateResult {
  switch (state.surface) {
    case "model":
      return modelSurface(state, begin);
    case "measure":
      return measureSurface(state, begin);
    case "layers":
      return layersSurface(state, begin);
    case "words":
      return wordsSurface(state, begin);
  }
}

/** What the file is, and whether it is sound. */
function modelSurface(state: LabState, begin: TemplateResult): TemplateResult {
  const { ledger, model, role, module } = state;
  return html`
    <div class="split">
      <section class="main" aria-label="What the file holds">
        <lab-model-bytes .ledger=${ledger} .model=${model} .role=${role}></lab-model-bytes>
        ${ledger === null ? (state.job === null ? begin : nothing) : html`<lab-tensor-tree .ledger=${ledger} .role=${role} .selected=${module}></lab-tensor-tree>`}
      </section>
      ${model === null ? nothing : html`<section class="aside" aria-label="The model in figures"><lab-model-facts .model=${model} .ledger=${ledger}></lab-model-facts></section>`}
    </div>
  `;
}

/** Which scheme to take. */
function measureSurface(state: LabState, begin: TemplateResult): TemplateResult {
  const { shown, job } = state;
  const chosen = chosenScheme(state);
  const result = state.measured?.result ?? null;
  const alike = measuredAlike(state);
  return html`
    <div class="split">
      <section class="main" aria-label="Schemes by size and error">
        <lab-scheme-frontier class=${state.frontierBy === "divergence" ? "numbers-of-text" : "numbers-of-result"} .result=${shown} .measured=${result}
          .by=${state.frontierBy} .selected=${chosen?.scheme ?? ""}></lab-scheme-frontier>
        ${shown === null && job === null ? begin : nothing}
        ${
          shown === null
            ? nothing
            : html`<lab-scheme-picker .asked=${state.asked} .isStale=${isStale(state) && job === null}></lab-scheme-picker>
                <lab-text-picker .text=${state.text} .against=${state.against} .schemes=${state.asked.schemes.length} .maxPositions=${shown.model.maxPositions}
                  .step=${measureStep(state)} .prepared=${state.prepared}></lab-text-picker>
                ${
                  asksForCalibration(state.asked)
                    ? html`<lab-calibration-text .file=${state.asked.calibration} .isBusy=${job !== null}></lab-calibration-text>`
                    : nothing
                }
                <lab-rounding-switches .roundings=${state.asked.roundings} .served=${state.asked.served}
                  .needsText=${asksForRanges(state.asked)} .isBusy=${job !== null}></lab-rounding-switches>
                <lab-compare-settings .asked=${state.asked} .device=${state.deviceChoice} .kept=${state.kept} .isBusy=${job !== null}></lab-compare-settings>`
        }
      </section>
      ${
        chosen === null || shown === null
          ? nothing
          : html`<section class="aside numbers-of-result" aria-label="The chosen scheme">
              <lab-scheme-summary .scheme=${chosen} .model=${shown.model} .measured=${alike} .isOld=${isTextOld(state)}></lab-scheme-summary>
              <lab-export-panel .scheme=${chosen.scheme} .promisedBytes=${chosen.fileBytes.value} .blocked=${exportBlocked(state)} .exported=${state.exported}></lab-export-panel>
              <lab-gpu-fit .scheme=${chosen.scheme} .fit=${chosen.fit} .plan=${state.plan} .maxPositions=${shown.model.maxPositions}></lab-gpu-fit>
            </section>`
      }
    </div>
    ${
      shown === null
        ? nothing
        : html`
            <section class="band" aria-label="Schemes">
              <lab-scheme-table class="numbers-of-result" .result=${shown} .measured=${alike} .isOld=${isTextOld(state)} .plan=${state.plan} .selected=${chosen?.scheme ?? ""}></lab-scheme-table>
            </section>
            <section class="band numbers-of-text" aria-label="Divergence">
              <lab-divergence-table .result=${result} .waiting=${job?.kind === "measuring" ? state.asked.schemes : null} .selected=${chosen?.scheme ?? ""}></lab-divergence-table>
            </section>
            <section class="band numbers-of-text" aria-label="Methods">
              <lab-method-cards .rows=${result?.rows ?? NO_ROWS} .verdict=${result?.verdict ?? null}></lab-method-cards>
            </section>
            <section class="band numbers-of-result" aria-label="Kernels">
              <lab-throughput .result=${shown} .scheme=${chosen?.scheme ?? ""}></lab-throughput>
            </section>
          `
    }
  `;
}

/** Where it hurts. */
function layersSurface(state: LabState, begin: TemplateResult): TemplateResult {
  const { shown, model, job } = state;
  const chosen = chosenScheme(state);
  const other = otherScheme(state);
  const layers = decoderLayers(model);
  const look = (scheme: SchemeResult | null) =>
    scheme === null ? null : { recipe: scheme.scheme, layer: chosenLayer(state, scheme) };
  return html`
    <div class="split numbers-of-result ${layers !== null && layers > WIDE_LAYERS ? "stacked" : ""}">
      <section class="main" aria-label="Where it hurts">
        <lab-layer-map .scheme=${chosen} .schemes=${shown?.schemes.map((row) => row.scheme) ?? []} .decoderLayers=${layers}
          .selected=${state.module} .model=${model?.name ?? ""}></lab-layer-map>
        ${chosen === null && job === null ? begin : nothing}
      </section>
      ${
        chosen === null
          ? nothing
          : html`<section class="aside" aria-label="The open matrix">
              <lab-matrix-facts .chosen=${look(chosen)} .other=${look(other)} .recipes=${shown?.schemes.map((row) => row.scheme) ?? []}
                .isLeft=${state.isLeft} .isSplit=${state.isSplit}></lab-matrix-facts>
            </section>`
      }
    </div>
    ${chosen === null ? nothing : html`<section class="band numbers-of-result" aria-label="The open matrix, closely">${sheets(state, chosen, other)}</section>`}
    ${
      chosen === null || chosen.methodRun === null
        ? nothing
        : html`<section class="band numbers-of-result" aria-label="What the method did">
            <lab-method-sheet .report=${chosen.methodRun} .module=${state.module} .subject=${`${model?.name ?? ""} ${chosen.scheme}`}></lab-method-sheet>
          </section>`
    }
    ${chosen === null ? nothing : sweeps(state, chosen)}
    ${chosen === null ? nothing : running(state, chosen)}
  `;
}

/** What the chosen recipe comes to with one thing of it varied. */
function sweeps(state: LabState, { scheme }: SchemeResult): TemplateResult {
  const { sweeps, sweepAsk } = state.layers;
  const isSame = (one: AskedRules, other: AskedRules) =>
    one.calibration === other.calibration && isSameRun({ ...one, schemes: [scheme] }, { ...other, schemes: [scheme] });
  return html`<section class="band numbers-of-text" aria-label="Sweeps">
    <lab-calibration-text .file=${state.asked.calibration} .isBusy=${state.job !== null}></lab-calibration-text>
    ${SWEEP_KINDS.map((kind) => {
      const asked = sweeps.get(sweepKey(kind, scheme)) ?? NOT_ASKED;
      return html`<lab-sweep-panel .kind=${kind} .scheme=${scheme} .view=${asked.view} .isOld=${isOld(asked, state, isSame)}
        .ask=${sweepAsk} .isBlocked=${state.job !== null} .model=${state.model?.name ?? ""}></lab-sweep-panel>`;
    })}
  </section>`;
}

/** What the layers do while the model runs over text. */
function running(state: LabState, chosen: SchemeResult): TemplateResult {
  const { depths, activations, strips } = state.layers;
  const isBlocked = state.job !== null;
  // The other recipes that are asked for change nothing of one's own depth.
  const schemes = [chosen.scheme];
  const isSame = (one: AskedRules, other: AskedRules) => isSameRun({ ...one, schemes }, { ...other, schemes });
  const depth = depths.get(chosen.scheme) ?? NOT_ASKED;
  const results = [...depths].flatMap(([scheme, { view }]) =>
    view.state === "ready" ? [[scheme, view.result] as const] : [],
  );
  const strip = strips.get(state.module ?? "") ?? NOT_FETCHED;
  return html`
    <section class="band numbers-of-text" aria-label="Error along depth">
      <lab-depth-panel .depth=${new Map(results)} .scheme=${chosen.scheme} .state=${jobState(depth.view, isOld(depth, state, isSame))}
        .error=${errorOf(depth.view)} .isBlocked=${isBlocked} .model=${state.model?.name ?? ""}></lab-depth-panel>
    </section>
    <section class="band numbers-of-text" aria-label="What goes into the layers">
      <lab-activation-panel .report=${fetchedPart(activations.view)} .state=${jobState(activations.view, isOld(activations, state, isSame))}
        .error=${errorOf(activations.view)} .selected=${state.module} .strip=${fetchedPart(strip)} .stripState=${jobState(strip, false)}
        .stripError=${errorOf(strip)} .isBlocked=${isBlocked}></lab-activation-panel>
    </section>
  `;
}

function errorOf(view: Fetched<unknown>) {
  return view.state === "failed" ? view.error : null;
}

/** The sheet of the open matrix; of two recipes side by side where both are asked for. */
function sheets(state: LabState, chosen: SchemeResult, other: SchemeResult | null): TemplateResult {
  if (!state.isSplit || other === null) return sheet(state, chosen, false);
  const [left, right] = state.isLeft ? [chosen, other] : [other, chosen];
  return html`<div class="halves">
    ${[left, right].map((scheme) => html`<div><h2 class="caption"><bdi>${scheme.scheme}</bdi></h2>${sheet(state, scheme, true)}</div>`)}
  </div>`;
}

function sheet(state: LabState, scheme: SchemeResult, isHalf: boolean): TemplateResult {
  const view = sheetOf(state, scheme);
  const layer: LayerResult | null = chosenLayer(state, scheme);
  const subject = `${state.model?.name ?? ""} ${scheme.scheme} ${state.module ?? ""}`;
  return html`<lab-matrix-sheet .layer=${layer} .view=${view} .subject=${subject} .isHalf=${isHalf}>
    ${view.state === "ready" ? html`<lab-error-map slot="error" .sheet=${view.result} .errorPart=${errorPartOf(state, scheme)} .view=${state.errorView} .subject=${subject}></lab-error-map>` : nothing}
  </lab-matrix-sheet>`;
}

function decoderLayers(model: ModelSummary | null): number | null {
  const cache = model?.kvCache;
  return cache === undefined || typeof cache === "string" ? null : cache.layers;
}
