# Reference values of tests/stats/association/test_{rv_coefficient,mantel,sparse_cca}.py:
# Rscript joint_links.R, in this folder (base R only; each statistic from its definition by pairs
# of columns, residuals of lm and a dense cross-product, not by inner products of patients).
set.seed(20261122)
full <- function(x) sprintf("%.17g", x)
n <- 24; p <- 8; q <- 13; k <- 2; count <- 60
z <- matrix(rnorm(n * k), n)
factor <- rnorm(n)
x <- outer(factor, c(1, 1, .8, rep(0, p - 3))) + z %*% matrix(rnorm(k * p), k) + matrix(rnorm(n * p), n)
y <- outer(factor, c(rep(0, q - 4), 1, -1, .7, 1)) + z %*% matrix(rnorm(k * q), k) + matrix(rnorm(n * q), n)
orders <- t(replicate(count, sample(n)))
input <- data.frame(x = x, y = y, z = z)
write.csv(sapply(input, full), "joint_links_input.csv", row.names = FALSE, quote = FALSE)
write.csv(orders - 1, "joint_links_orders.csv", row.names = FALSE, quote = FALSE)

# Robert & Escoufier by covariances; Mayer et al. by adjusted squared correlations, and the same
# by covariances for columns that are not standardised.
rv <- function(x, y) {
  sum(cov(x, y)^2) / sqrt(sum(cov(x)^2) * sum(cov(y)^2))
}
mayer <- function(x, y, df = nrow(x) - 1) {
  adj <- function(a, b) sum(1 - df / (df - 1) * (1 - cor(a, b)^2))
  adj(x, y) / sqrt(adj(x, x) * adj(y, y))
}
adjusted <- function(x, y, df = nrow(x) - 1) {
  above <- function(a, b) sum(cov(a, b)^2) - sum(diag(cov(a))) * sum(diag(cov(b))) / df
  above(x, y) / sqrt(above(x, x) * above(y, y))
}
beside <- function(a) apply(a, 2, function(column) resid(lm(column ~ z)))
lower <- function(d) as.matrix(d)[lower.tri(as.matrix(d))]
move <- function(d, take) as.dist(as.matrix(d)[take, take])
rank_distance <- function(a) as.dist(1 - cor(t(scale(a)), method = "spearman"))
dx <- dist(scale(x)); dy <- dist(scale(y)); dz <- dist(scale(z))
partial <- function(dx, method) {
  of <- if (method == "spearman") function(d) rank(lower(d)) else lower
  a <- of(dx); b <- of(dy); c <- of(dz)
  cor(resid(lm(a ~ c)), resid(lm(b ~ c)))
}
rx <- beside(x); ry <- beside(y)
statistics <- list(
  rv = function(take) rv(x[take, ], y),
  mayer = function(take) mayer(x[take, ], y),
  adjusted_beside = function(take) adjusted(beside(rx[take, ]), ry, df = n - 1 - k),
  mantel_pearson = function(take) cor(lower(move(dx, take)), lower(dy)),
  mantel_spearman = function(take) cor(lower(move(dx, take)), lower(dy), method = "spearman"),
  mantel_rank_distance = function(take)
    cor(lower(move(rank_distance(x), take)), lower(rank_distance(y))),
  partial_pearson = function(take) partial(move(dx, take), "pearson"),
  partial_spearman = function(take) partial(move(dx, take), "spearman"),
  rv_beside = function(take) NA, mayer_beside = function(take) NA)
values <- sapply(statistics, function(f) c(f(seq_len(n)), apply(orders, 1, f)))
# Mayer's with the degrees of freedom that two covariates leave; residuals as they are only.
values[1, "rv_beside"] <- rv(rx, ry)
values[1, "mayer_beside"] <- mayer(rx, ry, df = n - 1 - k)
write.csv(apply(values, 2, full), "joint_links.csv", row.names = FALSE, quote = FALSE)

# Sparse CCA: the dense cross-product, thresholds by bisection, deflation of the cross-product.
soft <- function(a, d) sign(a) * pmax(abs(a) - d, 0)
unit <- function(a) a / sqrt(sum(a^2))
bound <- function(a, c) {
  if (sum(abs(unit(a))) <= c) return(unit(a))
  low <- 0; high <- max(abs(a))
  for (i in 1:200) {
    middle <- (low + high) / 2
    if (sum(abs(unit(soft(a, middle)))) > c) low <- middle else high <- middle
  }
  unit(soft(a, high))
}
pairs <- function(x, y, share, components) {
  m <- crossprod(scale(x), scale(y))
  left <- m
  starts <- svd(m, nu = components, nv = components)$v
  do.call(rbind, lapply(seq_len(components), function(j) {
    v <- starts[, j]
    for (i in 1:20000) {
      u <- bound(left %*% v, share * sqrt(ncol(x)))
      new <- bound(crossprod(left, u), share * sqrt(ncol(y)))
      moved <- max(abs(new - v)); v <- new
      if (moved < 1e-15) break
    }
    left <<- left - c(crossprod(u, left %*% v)) * u %*% t(v)
    sign <- sign(u[which.max(abs(u))])
    data.frame(component = j, side = rep(c("x", "y"), c(ncol(x), ncol(y))), place = c(seq_len(ncol(x)), seq_len(ncol(y))),
               weight = full(sign * c(u, v)), correlation = full(c(cor(scale(x) %*% u, scale(y) %*% v))))
  }))
}
pairs_of <- function(name, x, y, share) cbind(case = name, share = share, pairs(x, y, share, 2))
cases <- rbind(pairs_of("plain", x, y, 0.5), pairs_of("loose", x, y, 0.8), pairs_of("free", x, y, 1),
               pairs_of("beside", rx, ry, 0.5))
write.csv(cases, "joint_links_pairs.csv", row.names = FALSE, quote = FALSE)
