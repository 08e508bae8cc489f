"""The one limit of all waits for what comes in any case: each ends when its condition holds, so only what would never
come meets it. A busy machine may need minutes for what takes a second."""

PATIENCE_S = 900
