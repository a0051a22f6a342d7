"""Parse free text into a task and a description (HSM-TSS section III-F)."""

from hsmtss_jax.instructions.amounts import Amount, read_amount
from hsmtss_jax.instructions.instruction import Instruction, InstructionWarning
from hsmtss_jax.instructions.parsers import PARSERS, Parser, parser
from hsmtss_jax.instructions.rules import parse
from hsmtss_jax.instructions.spans import Moment, Span, read_span
from hsmtss_jax.instructions.templates import TEMPLATES, queries, render
from hsmtss_jax.task import Task

__all__ = [
    "PARSERS",
    "TEMPLATES",
    "Amount",
    "Instruction",
    "InstructionWarning",
    "Moment",
    "Parser",
    "Span",
    "Task",
    "parse",
    "parser",
    "queries",
    "read_amount",
    "read_span",
    "render",
]
