"""What kinds of customer there are: RFM scores, potential classes, micro-segments."""
