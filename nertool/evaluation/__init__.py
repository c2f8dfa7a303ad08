"""How good is it? conlleval's measures, as counts that add and ratios that follow from them."""
