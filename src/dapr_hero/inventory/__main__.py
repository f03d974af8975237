"""`python -m dapr_hero.inventory`"""

from dapr_hero.inventory.app import serve
from dapr_hero.service import servers

if __name__ == "__main__":
    servers.run(serve)
