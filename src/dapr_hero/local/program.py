"""This program, as the local runner names it in messages and folders."""

from dapr_hero.settings import PREFIX
from dapr_local.program import Program

PROGRAM = Program("dapr-hero", PREFIX)
