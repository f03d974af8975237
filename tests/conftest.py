pytest_plugins = ["dapr_hero.testing"]
