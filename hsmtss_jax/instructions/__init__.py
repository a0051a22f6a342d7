"""Parse free text into a task and a description (HSM-TSS section III-F)."""

from hsmtss_jax.instructions.instruction import Instruction, InstructionWarning
from hsmtss_jax.instructions.parsers import PARSERS, Parser, parser
from hsmtss_jax.instructions.rules import parse
from hsmtss_jax.instructions.templates import TEMPLATES, queries, render
from hsmtss_jax.task import Task

__all__ = [
    "PARSERS",
    "TEMPLATES",
    "Instruction",
    "InstructionWarning",
    "Parser",
    "Task",
    "parse",
    "parser",
    "queries",
    "render",
]
