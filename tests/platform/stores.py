"""Counts the items of each store without Dapr."""

from collections import Counter

from dapr_hero.settings import Settings
from tests.platform.broker import broker
from tests.platform.database import fetch_value


def counts(settings: Settings) -> Counter[str]:
    with broker(settings) as valkey:
        gadgets = sum(1 for _ in valkey.scan_iter(f"{settings.inventory_app_id}||*", count=1000))
        products = sum(1 for _ in valkey.scan_iter(f"{settings.products_app_id}||*", count=1000))
    widgets = fetch_value(settings, "SELECT count(*) FROM widgets")
    return Counter(widgets=widgets, gadgets=gadgets, products=products)
