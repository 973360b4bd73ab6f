# Competitive tests of gene sets by mean ranks: limma's cameraPR with ranks, with and without a
# correlation among the genes, and with ties. Run from this folder.
library(limma)
options(digits = 17)
input <- read.csv("mean_rank_sets_input.csv")
sets <- read.csv("mean_rank_sets_members.csv")
members <- split(sets$gene + 1, factor(sets$set, levels = unique(sets$set)))
rows <- list()
for (ranking in c("plain", "tied")) {
  for (rho in c(0, 0.01, 0.2)) {
    found <- cameraPR(setNames(input[[ranking]], seq_len(nrow(input))), members,
                      use.ranks = TRUE, inter.gene.cor = rho, sort = FALSE)
    rows[[length(rows) + 1]] <- data.frame(
      ranking = ranking, correlation = rho, set = rownames(found),
      direction = found$Direction, p = signif(found$PValue, 17))
  }
}
write.csv(do.call(rbind, rows), "mean_rank_sets.csv", row.names = FALSE)
