"""`python -m dapr_hero.inventory`"""

from dapr_hero import servers
from dapr_hero.inventory.app import serve

if __name__ == "__main__":
    servers.run(serve)
