"""What speaks for a candidate beyond the fused ranking: one module per signal, each a pure function over the pool."""
