"""`python -m dapr_hero.products`"""

from dapr_hero.products.app import serve
from dapr_hero.service import servers

if __name__ == "__main__":
    servers.run(serve)
