"""What a training will take: parameters, FLOP, memory, hours, chips, disk and price, before it is begun."""
