"""A program that uses the runner, for the tests: like dapr-hero, and not dapr-hero."""

from dapr_local.program import Program

PROGRAM = Program("orders", "ORDERS_")
