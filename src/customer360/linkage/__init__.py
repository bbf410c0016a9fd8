"""One person, one id: matching, clusters, golden record, web stitching."""
