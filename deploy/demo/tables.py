"""deploy/demo: the result's tables: the steps with their times, and every vendor id with its check."""

from typing import Any

from deploy.console import Paper, Sheet, mark, table
from deploy.demo.checks import Check, Stage


def show(console: Paper, stage: Stage, checks: list[Check]) -> None:
    """Print both tables and the correlation id."""
    activation = stage.activation
    console.print()
    console.print(_steps(stage))
    console.print(_objects(checks))
    lines = [f"correlation id  {activation['correlation_id']}", f"activation      {activation['id']}"]
    if activation.get("seconds") is not None:
        lines.append(f"from notification to the last id  {float(activation['seconds']):.1f} s")
    for line in lines:
        console.print(line, soft_wrap=True)


def _steps(stage: Stage) -> Sheet:
    made = table("What happened", "step", "status", "seconds", "result")
    made.columns[2].justify = "right"
    begun = stage.activation["started_at"]
    steps = [("", step) for step in stage.activation["timeline"]]
    # A customer settled long ago has a past of its own, which is not this story's.
    steps += [
        ("customer master: ", step) for step in stage.request["timeline"] if step["started_at"] >= begun
    ]
    for whose, step in sorted(steps, key=lambda pair: pair[1]["started_at"]):
        made.add_row(f"{whose}{step['title']}", step["status"], _seconds(step), step.get("detail", ""))
    return made


def _seconds(step: dict[str, Any]) -> str:
    return f"{float(step['seconds']):.2f}" if step.get("seconds") is not None else ""


def _objects(checks: list[Check]) -> Sheet:
    made = table("Read back from the vendors", "", "system", "what", "id", "result")
    for check in checks:
        made.add_row(mark(ok=check.ok), check.system, check.what, check.id, check.result)
    return made
