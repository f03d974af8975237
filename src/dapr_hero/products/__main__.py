"""`python -m dapr_hero.products`"""

from dapr_hero import servers
from dapr_hero.products.app import serve

if __name__ == "__main__":
    servers.run(serve)
