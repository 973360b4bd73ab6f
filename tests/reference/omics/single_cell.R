# Reference values of tests/omics/single_cell: Rscript single_cell.R, in this folder (limma, edgeR).
# Quantile normalisation with ties, moderated t on arcsine and centred-log-ratio shares, and
# limma-trend on TMM log CPM of pseudobulk counts.
suppressPackageStartupMessages({library(limma); library(edgeR)})
options(digits = 17)
set.seed(20260702)
full <- function(x) as.data.frame(lapply(as.data.frame(x), function(v) if (is.numeric(v)) signif(v, 17) else v))
save <- function(x, name) write.csv(full(x), paste0("single_cell_", name, ".csv"), row.names = FALSE, quote = FALSE)

# Rows are samples; half of the values are tied zeros, as in cells.
values <- matrix(round(rexp(12 * 40), 2) * rbinom(12 * 40, 1, rep(c(1, 0.3), each = 6)), 12)
colnames(values) <- sprintf("G%02d", 1:40)
save(values, "quantile_input")
save(t(normalizeQuantiles(t(values))), "quantile")

patients <- 10
group <- rep(c(TRUE, FALSE), each = patients / 2)
odds <- cbind(T = exp(0.8 * group), B = 0.4, myeloid = 0.9, tumour = 2, endothelial = 0.15)
cells <- t(apply(odds, 1, function(o) rmultinom(1, 150 + rpois(1, 60), o * exp(rnorm(5, 0, 0.3)))))
colnames(cells) <- colnames(odds)
save(cbind(group = as.integer(group), cells), "composition_input")
shares <- cells / rowSums(cells)
design <- model.matrix(~group)
compare <- function(x, transform) {
  fit <- eBayes(lmFit(t(x), design))
  top <- topTable(fit, coef = 2, number = Inf, sort.by = "none", confint = TRUE)
  data.frame(transform, cell_type = rownames(top), difference = top$logFC, low = top$CI.L,
             high = top$CI.R, t = top$t, p = top$P.Value, fdr = top$adj.P.Val)
}
logs <- log(cells + 0.5)
save(rbind(compare(asin(sqrt(shares)), "arcsine"), compare(logs - rowMeans(logs), "clr")), "composition")

# Pseudobulk of two cell types: 10 patients each.
genes <- sprintf("GENE%02d", 1:60)
mean <- rexp(60, 1 / 80) + 3
bulk <- NULL
for (type in c("T", "tumour")) {
  change <- if (type == "T") ifelse(seq_along(genes) <= 6, 5, 1) else 1
  counts <- t(sapply(group, function(g) rnbinom(60, mu = mean * (if (g) change else 1), size = 8)))
  colnames(counts) <- genes
  bulk <- rbind(bulk, data.frame(patient = seq_len(patients), type, group = as.integer(group), counts))
}
save(bulk, "contrast_input")
contrast <- NULL
for (type in unique(bulk$type)) {
  own <- bulk[bulk$type == type, ]
  counts <- t(as.matrix(own[, genes]))
  counts <- counts[rowSums(counts >= 10) >= patients / 2, ]
  y <- calcNormFactors(DGEList(counts), method = "TMM")
  fit <- eBayes(lmFit(cpm(y, log = TRUE), design), trend = TRUE)
  top <- topTable(fit, coef = 2, number = Inf, sort.by = "none")
  contrast <- rbind(contrast, data.frame(type, gene = rownames(top), change = top$logFC, t = top$t,
                                         p = top$P.Value, fdr = top$adj.P.Val))
}
save(contrast, "contrast")
