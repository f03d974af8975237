"""Tools that only this repository needs: generators and checks."""
