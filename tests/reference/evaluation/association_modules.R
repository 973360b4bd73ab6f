# Reference values of tests/evaluation/association/test_modules.py: Rscript association_modules.R, in
# this folder (base R: hclust, cutree, prcomp, cor).
set.seed(20261124)
n <- 48
p <- 30
latent <- matrix(rnorm(n * 4), n)
sign <- rep(c(1, 1, -1), length.out = 20)
x <- matrix(rnorm(n * p), n)
x[, 1:20] <- sweep(latent[, rep(1:4, each = 5)], 2, sign, "*") + 0.5 * x[, 1:20]
x[, 6:10] <- exp(x[, 6:10])
x[, 11] <- round(x[, 11])
x[, 4] <- 1e11 * x[, 4] + 3e11
colnames(x) <- sprintf("v%02d", 1:p)
digits <- function(v) sprintf("%.17g", v)
write.csv(apply(x, 2, digits), "association_modules_input.csv", row.names = FALSE, quote = FALSE)

rho <- cor(x, method = "spearman")
trees <- list(plain = hclust(as.dist(1 - abs(rho)), "average"), signed = hclust(as.dist(1 - rho), "average"))
out <- NULL
for (kind in names(trees)) for (h in c(0.35, 0.6, 0.75)) {
  label <- cutree(trees[[kind]], h = h)
  for (k in unique(label)) {
    here <- label == k
    if (sum(here) < 3) next
    pca <- prcomp(x[, here], scale. = TRUE)
    axis <- pca$rotation[, 1]
    turn <- sign(sum(axis))
    score <- pca$x[, 1] * turn / pca$sdev[1]
    share <- pca$sdev[1]^2 / sum(pca$sdev^2)
    out <- rbind(out, data.frame(tree = kind, height = h, label = k, variable = colnames(x)[here],
      weight = digits(turn * axis / pca$sdev[1]), share = digits(share),
      membership = digits(as.vector(cor(x[, here], score, method = "spearman"))),
      first = digits(score[1]), last = digits(score[n])))
  }
}
write.csv(out, "association_modules.csv", row.names = FALSE, quote = FALSE)
heights <- data.frame(tree = rep(names(trees), each = p - 1),
                      height = digits(c(trees$plain$height, trees$signed$height)))
write.csv(heights, "association_modules_heights.csv", row.names = FALSE, quote = FALSE)

# Two sides of modules, with covariates: partial rank correlations by residuals of ranks.
covariates <- cbind(volume = exp(latent[, 1] + rnorm(n)), site = rep(0:1, length.out = n))
write.csv(apply(covariates, 2, digits), "association_modules_covariates.csv", row.names = FALSE, quote = FALSE)
eigen <- function(columns) {
  pca <- prcomp(x[, columns], scale. = TRUE)
  pca$x[, 1] * sign(sum(pca$rotation[, 1]))
}
left <- list(F1 = eigen(1:5), F2 = eigen(6:10))
right <- list(G1 = eigen(c(3, 11:15)), G2 = eigen(16:20), G3 = eigen(21:24))
links <- NULL
for (f in names(left)) for (g in names(right)) for (k in c(0, 2)) {
  a <- rank(left[[f]])
  b <- rank(right[[g]])
  if (k) {
    others <- apply(covariates, 2, rank)
    a <- residuals(lm(a ~ others))
    b <- residuals(lm(b ~ others))
  }
  r <- cor(a, b)
  free <- n - 2 - k
  half <- qnorm(0.975) * sqrt((1 + r^2 / 2) / (n - 3 - k))
  links <- rbind(links, data.frame(covariates = k, feature_module = f, gene_module = g, rho = r,
    low = tanh(atanh(r) - half), high = tanh(atanh(r) + half),
    p = 2 * pt(-abs(r) * sqrt(free / (1 - r^2)), free)))
}
links$fdr <- ave(links$p, links$covariates, FUN = function(p) p.adjust(p, "BH"))
links[4:8] <- lapply(links[4:8], digits)
write.csv(links, "association_module_links.csv", row.names = FALSE, quote = FALSE)
