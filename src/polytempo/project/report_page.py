"""The report's page, without its content."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #202124; --soft: #6b6f76; --paper: #fafaf8; --line: #dcdcd6; --accent: #2b6c8f;
  --warn: #8a5a00; --warn-paper: #fff5dd; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e4; --soft: #9b9fa6; --paper: #17181a; --line: #34363a;
  --accent: #7fb8d6; --warn: #f0c36d; --warn-paper: #2d2616; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1480px; padding: 32px 28px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 26px; font-weight: 600; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; font-weight: 600; margin: 44px 0 6px; padding-top: 14px; border-top: 1px solid var(--line); }
h3 { font-size: 13px; font-weight: 500; margin: 0; color: var(--soft); }
p { margin: 6px 0; max-width: 76ch; }
p.lead, figcaption { color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: 14px 36px; margin: 20px 0 0; }
dt { font-size: 12px; color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.warnings { margin: 24px 0 0; padding: 12px 18px; border-radius: 6px; background: var(--warn-paper);
  color: var(--warn); }
.warnings:has(.fine) { background: none; padding: 0; color: var(--soft); }
.warnings ul { margin: 0; padding-left: 18px; }
.row { display: grid; grid-template-columns: 104px 1fr; gap: 14px; align-items: center; margin: 10px 0; }
.cells { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 8px; }
figure { margin: 0; }
img { display: block; width: 100%; border-radius: 3px; }
figcaption { font-size: 11px; padding-top: 2px; }
svg { display: block; width: 100%; max-width: 900px; margin: 8px 0; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .axis { stroke: var(--soft); } svg .grid { stroke: var(--line); }
svg .bar { stroke: var(--warn); stroke-dasharray: 4 4; }
svg .line { fill: none; stroke: var(--accent); stroke-width: 1.8; } svg circle.line { fill: var(--accent); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 12px; }
td, th { padding: 4px 26px 4px 0; border-bottom: 1px solid var(--line); }
code { font-size: 12px; color: var(--soft); }
footer { margin-top: 36px; font-size: 12px; color: var(--soft); }
@media (max-width: 760px) { .row { grid-template-columns: 1fr; gap: 4px; } }
</style>
</head>
<body>
<h1>$title</h1>
<p class="lead">$lead</p>
<dl>$facts</dl>
<section class="warnings" aria-label="Warnings">$warnings</section>

<h2>Layers and mattes</h2>
<p class="lead">Layers over a chequer, which shows where they are clear; mattes: black is clear, white is opaque.</p>
$layers

<h2>Reconstruction</h2>
<p class="lead">All layers put together again. The difference to the input is shown from black (none) to white
(32 of 255 and more).$painted</p>
$rebuilt
$psnr

<h2>Background</h2>
<p class="lead">The scene as it is when nobody is there, from the frames in which each spot was seen bare.</p>
$plate

<h2>Camera</h2>
<p class="lead">$camera_text</p>
$camera

$alignments

<h2>Time and memory</h2>
$stages
<footer>Made with $versions</footer>
</body>
</html>
"""
